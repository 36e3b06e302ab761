"""What a tap form is: how a formula reads its input, and which kind of formula it is."""
