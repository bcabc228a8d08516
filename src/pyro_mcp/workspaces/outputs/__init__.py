"""What commands and services wrote: kept in files, read by page, from the end or by pattern."""
