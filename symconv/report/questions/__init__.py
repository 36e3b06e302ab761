"""One module for each kind of question: from the question of a problem file to the blocks of its section."""
