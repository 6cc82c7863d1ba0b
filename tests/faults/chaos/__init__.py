"""Crash everywhere: busy houses whose bot is killed again and again, and what must hold afterwards.

    plan        which deaths a campaign consists of: at every failpoint, and at random moments
    crowd       what members and a moderator do in one channel, drawn by a seed
    ledger      what a channel must still show and may still cost, whatever happens next
    campaign    one house: start, die, start again; every channel is looked at after each restart
    report      what was tried, what was hit, what was found

`python -m tests.faults.chaos` is the long form (`make chaos`); tests/faults/test_chaos.py the short
one. How a channel is compared with Redis is tests/faults/told_once.
"""
