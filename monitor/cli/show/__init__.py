"""What is printed: values in; lines, tables and JSON out."""
