"""The one place where everything is put together, and the only one that knows the adapters.

app       a bot that can run, out of the settings
parts     the adapters that settings mean
checkups  what `talewheel doctor` looks with
keeping   what deletes and erases, without a bot
travel    what exports and imports
"""
