"""Clean a messy address list with the pandas string methods."""
import pandas as pd

raw = pd.Series(
    [
        "  Müller, Jörg ; 10115 berlin ; +49 (30) 123-456 ",
        "O'Neil, Kate;D02 X285  Dublin;+353 1 555 0101",
        "garcía, LUIS;28013 Madrid;0034 91 5550102",
        "Smith , Ann;SW1A 1AA London;n/a",
        "Kowalski,Jan;00-950 Warszawa;+48 22 555 01 03",
    ]
)
parts = raw.str.strip().str.split(r"\s*;\s*", expand=True, regex=True)
parts.columns = ["name", "place", "phone"]

names = parts["name"].str.extract(r"^(?P<last>[^,]+?)\s*,\s*(?P<first>.+)$")
names = names.apply(lambda col: col.str.strip().str.title())
city = parts["place"].str.extract(r"^(?P<code>.*\d\S*(?:\s\d\S*)?)\s+(?P<city>\D+)$")
city["city"] = city["city"].str.strip().str.capitalize()
phone = parts["phone"].str.replace(r"[^\d+]", "", regex=True).str.replace(r"^00", "+", regex=True)
phone = phone.where(phone.str.len() > 5)

clean = pd.concat([names, city, phone.rename("phone")], axis=1)
print(clean.fillna("-").to_string(index=False))
print("lengths:", clean["last"].str.len().tolist())
print("has apostrophe:", clean["last"].str.contains("'", regex=False).tolist())
user = (clean["first"].str[0] + clean["last"]).str.lower().str.normalize("NFKD").str.encode("ascii", "ignore").str.decode("ascii")
print("user names:", user.str.replace(r"\W", "", regex=True).tolist())
print("country codes:", clean["phone"].str.slice(0, 3).fillna("none").tolist())
