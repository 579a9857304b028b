"""Kafka, Valkey and every service as plain processes of this machine, without Docker."""
