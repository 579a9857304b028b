"""The model families, one file each, behind the protocols of domain.labelling."""
