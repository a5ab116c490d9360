"""When a call may go. Begin with `rules`, whose head has the theory of operation."""
