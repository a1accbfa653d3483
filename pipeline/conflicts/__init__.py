"""Two people edit one pair of rows in two systems: what is an edit, who wins, what is written.
Pure: no I/O, no clock.
"""
