"""Loan schedule with exact decimals, month ends by dateutil, and payment holidays by rrule."""
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from dateutil.parser import parse
from dateutil.relativedelta import relativedelta
from dateutil.rrule import MO, MONTHLY, rrule

CENT = Decimal("0.01")
principal, rate, months = Decimal("12000"), Decimal("0.054") / 12, 12
payment = (principal * rate / (1 - (1 + rate) ** -months)).quantize(CENT, ROUND_HALF_UP)
start = date(2024, 1, 31)

balance, interest_sum = principal, Decimal(0)
for k in range(1, months + 1):
    due = start + relativedelta(months=k)
    interest = (balance * rate).quantize(CENT, ROUND_HALF_UP)
    amount = payment if k < months else balance + interest
    balance += interest - amount
    interest_sum += interest
    if k in (1, 2, 6, 12):
        print(f"{k:>2} {due:%d %b %Y} {amount:>9} {interest:>7} {balance:>10}")
print("payment:", payment, "interest in total:", interest_sum, "rest:", balance)

reviews = rrule(MONTHLY, byweekday=MO(1), dtstart=datetime(2024, 1, 1), until=datetime(2024, 6, 30))
print("reviews:", [d.strftime("%d.%m") for d in reviews])
age = relativedelta(parse("3 March 2024"), parse("1999-11-30"))
print(f"age: {age.years} years {age.months} months {age.days} days")
print([parse(t, dayfirst=True).isoformat() for t in ("05/04/2024 7pm", "Tue, 02 Jan 2024 10:30:00 GMT", "20240229")])
