"""What the report says to a question: from the question to the blocks of its section, a module for each subject."""
