"""What may enter the platform and in which form: strict posts, masking, pseudonyms."""
