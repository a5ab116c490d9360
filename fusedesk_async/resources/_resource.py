"""What all resources have in common."""

from fusedesk_async._call import Send


class Resource:
    """Calls about one kind of thing. Got from a client: `desk.cases`."""

    def __init__(self, send: Send) -> None:
        self._send = send
