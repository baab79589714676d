"""What is seen inside the walls: the process that runs a student's cells, and the format in which it answers."""
