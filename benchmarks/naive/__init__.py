"""The yardstick: the same API for credits and reads, as most engineers would write it.

Strawberry, SQLModel sessions and aiosqlite, each used as its documentation shows. It is not
handicapped: its tables, payload and durability are Tuppence's own, it has an index wherever it
looks something up, it loads what belongs together by joins, and a lock keeps its writers from
timing out on SQLite's.
"""
