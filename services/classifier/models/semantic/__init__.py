"""What needs whole texts encoded: the cascade, its experts, and day zero."""
