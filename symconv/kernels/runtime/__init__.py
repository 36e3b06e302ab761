"""What every call goes through: its arguments and their layout, the plan that it takes, and the kernel around them."""
