"""The newsroom that ships with monitor."""
