"""The free tier as a resource that is planned with, not an error to run into.

From the outside in: `base` is what a turn sees; `factory.open_quota` makes one; `scheduler` is its
shell, with the fair `queue` between dolls; `ledger` decides, with `limits`, `clock`, `calendar`
and `pacing`; `store`, `sqlite` and `redis` keep its `state`.
"""
