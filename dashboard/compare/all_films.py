"""Compare, all films."""
def show(laid):
    pass
