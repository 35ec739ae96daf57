"""What does the jobs, as tasks of this process, and the pool of processes for parsing."""
