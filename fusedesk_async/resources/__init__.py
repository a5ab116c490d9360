"""The API's calls, a class for each kind of thing."""
