"""Paging, listing, tree sums and resampling: no framework, no Redis."""
