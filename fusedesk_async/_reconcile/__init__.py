"""Whether a write whose response was lost took place."""
