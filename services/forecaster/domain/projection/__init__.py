"""Label records and corrections in, commands of the read side out."""
