"""One call there and back: retries, permits, connections, deadlines, the key. Begin with `pipeline`."""
