"""What does the jobs: in this process, or on a distributed engine; and the pool for CPU work."""
