"""When a call may go."""
