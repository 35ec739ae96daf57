"""A self-hosted media monitor: schedule → poll → parse → extract → group → match → alert."""

__version__ = "0.1.0"
