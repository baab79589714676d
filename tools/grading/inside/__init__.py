"""What is seen inside the walls: the process that runs a student's cells, and how it answers."""
