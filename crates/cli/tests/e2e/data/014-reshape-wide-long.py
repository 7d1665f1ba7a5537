"""Wide to long and back: melt, wide_to_long, stack and explode."""
import pandas as pd

wide = pd.DataFrame(
    {
        "pupil": ["Ida", "Joe", "Kai"],
        "maths_2022": [71, 64, 88],
        "maths_2023": [75, 69, 91],
        "art_2022": [90, 77, 60],
        "art_2023": [86, 80, 65],
    }
)
long = wide.melt(id_vars="pupil", var_name="key", value_name="mark")
long[["subject", "year"]] = long["key"].str.split("_", expand=True)
long = long.drop(columns="key").sort_values(["pupil", "subject", "year"], ignore_index=True)
print(long.head(5).to_string(index=False))

back = long.pivot(index="pupil", columns=["subject", "year"], values="mark")
back.columns = [f"{s}_{y}" for s, y in back.columns]
print("round trip equal:", back.reset_index()[wide.columns].equals(wide))

w2l = pd.wide_to_long(wide, stubnames=["maths", "art"], i="pupil", j="year", sep="_").sort_index()
print(w2l.to_string())

gain = long.pivot_table(index="subject", columns="year", values="mark", aggfunc="mean")
gain["gain"] = gain["2023"] - gain["2022"]
print(gain.round(2).to_string())

clubs = pd.DataFrame({"pupil": ["Ida", "Joe", "Kai"], "clubs": [["chess", "choir"], [], ["chess"]]})
flat = clubs.explode("clubs")
print(flat.fillna("-").to_string(index=False))
print(pd.get_dummies(flat.set_index("pupil")["clubs"].dropna()).groupby(level=0).sum().to_string())
