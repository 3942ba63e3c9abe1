"""trioecho and tshark on the same captures, frame by frame."""
