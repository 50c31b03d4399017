"""What many dolls cost, from what one was measured to cost: a plan, and simulations of it."""
