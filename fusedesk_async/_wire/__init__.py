"""What goes over the wire: a call as a request, a response as a value or an error.

Pure: no network, no clock, no event loop.
"""
