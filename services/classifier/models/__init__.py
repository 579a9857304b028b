"""The model families, a folder each, behind the protocols of domain.labelling."""
