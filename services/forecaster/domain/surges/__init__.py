"""Loads far above the profile, and the incidents they belong to."""
