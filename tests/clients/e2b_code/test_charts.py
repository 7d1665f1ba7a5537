"""Figures of matplotlib's as data."""

import datetime
import json

from e2b_code_interpreter.charts import (
    BarChart, BoxAndWhiskerChart, Chart, ChartType, LineChart, PieChart, ScatterChart, SuperChart,
)

PLOT = "import datetime\nimport matplotlib.pyplot as plt\nimport numpy as np\n"


def chart(run, code):
    execution = run(f"{PLOT}{code}\nplt.show()")
    assert execution.error is None, execution.error
    assert execution.results[0].png
    return execution.results[0].chart


def all_are(kind, values):
    return bool(values) and all(isinstance(value, kind) for value in values)


def test_line(run):
    found = chart(run, """
days = [datetime.date(2023, 9, 1) + datetime.timedelta(days=i) for i in range(100)]
x = np.linspace(0, 2 * np.pi, 100)
plt.plot(days, np.sin(x), label='sin(x)')
plt.plot(days, np.cos(x), label='cos(x)')
plt.xlabel('Time (s)'); plt.ylabel('Amplitude (Hz)'); plt.title('Sine and cosine')
""")
    assert isinstance(found, LineChart) and found.title == "Sine and cosine"
    assert (found.x_label, found.x_unit, found.y_label, found.y_unit) == ("Time (s)", "s", "Amplitude (Hz)", "Hz")
    assert (found.x_scale, found.y_scale) == ("datetime", "linear")
    assert all_are(str, found.x_ticks) and datetime.datetime.fromisoformat(found.x_ticks[0])
    assert all_are(float, found.y_ticks) and all_are(str, found.x_tick_labels) and all_are(str, found.y_tick_labels)
    assert [line.label for line in found.elements] == ["sin(x)", "cos(x)"]
    assert [len(line.points) for line in found.elements] == [100, 100]
    assert found.elements[0].points[0] == ("2023-09-01", 0.0)


def test_logarithm(run):
    found = chart(run, """
x = np.linspace(0, 100, 100)
plt.plot(x, np.exp(x), label='y = e^x'); plt.yscale('log')
plt.ylabel('Y (log scale)'); plt.grid(True); plt.legend()
""")
    assert isinstance(found, LineChart) and (found.x_scale, found.y_scale) == ("linear", "log")
    assert found.y_unit == "log scale" and found.x_unit is None
    assert [line.label for line in found.elements] == ["y = e^x"] and len(found.elements[0].points) == 100


def test_dates_and_categories_are_scales(run):
    found = chart(run, "plt.plot([datetime.datetime(2024, 1, d) for d in (1, 2, 3)], [1, 2, 3])")
    assert (found.x_scale, found.y_scale) == ("datetime", "linear")
    found = chart(run, "plt.plot([1, 2, 3], ['A', 'B', 'C'])")
    assert (found.x_scale, found.y_scale) == ("linear", "categorical")
    assert found.elements[0].points == [(1.0, "A"), (2.0, "B"), (3.0, "C")]


def test_scatter(run):
    found = chart(run, """
plt.scatter([1, 2.5], [3, 4], label='one'); plt.scatter(np.random.rand(10), np.random.rand(10), label='two')
plt.xlabel('A'); plt.ylabel('B')
""")
    assert isinstance(found, ScatterChart) and (found.title, found.x_label, found.y_label) == (None, "A", "B")
    assert [cloud.label for cloud in found.elements] == ["one", "two"]
    assert found.elements[0].points == [(1.0, 3.0), (2.5, 4.0)] and len(found.elements[1].points) == 10
    assert all_are(float, found.x_ticks) and all_are(float, found.y_ticks)


def test_bar(run):
    found = chart(run, """
plt.bar(['A', 'B', 'C', 'D'], [100, 200, 300, 400], label='Books Sold')
plt.xlabel('Authors'); plt.ylabel('Books'); plt.title('Sales')
""")
    assert isinstance(found, BarChart) and (found.title, found.x_label, found.y_label) == ("Sales", "Authors", "Books")
    assert [(bar.label, bar.group, bar.value) for bar in found.elements] == [
        ("A", "Books Sold", 100), ("B", "Books Sold", 200), ("C", "Books Sold", 300), ("D", "Books Sold", 400),
    ]


def test_bars_in_groups_and_on_their_side(run):
    found = chart(run, """
x = np.arange(2)
plt.bar(x - .2, [1, 2], .4, label='m'); plt.bar(x + .2, [3, 4], .4, label='w'); plt.xticks(x, ['one', 'two'])
""")
    assert [(bar.label, bar.group, bar.value) for bar in found.elements] == [
        ("one", "m", 1), ("two", "m", 2), ("one", "w", 3), ("two", "w", 4),
    ]
    found = chart(run, "plt.barh(['a', 'b'], [5, 6]); plt.xlabel('n')")
    assert [(bar.label, bar.value) for bar in found.elements] == [("a", 5), ("b", 6)] and found.y_label == "n"


def test_box_and_whiskers(run):
    found = chart(run, """
data = {'Class A': [85, 90, 78, 92, 88], 'Class B': [95, 89, 76, 91, 84, 87], 'Class C': [75, 82, 88, 79, 86]}
fig, ax = plt.subplots(figsize=(10, 6))
ax.boxplot(data.values(), tick_labels=data.keys(), patch_artist=True)
ax.set_title('Scores'); ax.set_xlabel('Class'); ax.set_ylabel('Score')
plt.tight_layout()
""")
    assert isinstance(found, BoxAndWhiskerChart) and (found.title, found.x_label, found.y_label) == ("Scores", "Class", "Score")
    assert [box.label for box in found.elements] == ["Class A", "Class B", "Class C"]
    assert [box.outliers for box in found.elements] == [[], [76], []]
    assert [box.min for box in found.elements] == [78, 84, 75]
    assert [box.first_quartile for box in found.elements] == [85, 84.75, 79]
    assert [box.median for box in found.elements] == [88, 88, 82]
    assert [box.third_quartile for box in found.elements] == [90, 90.5, 86]
    assert [box.max for box in found.elements] == [92, 95, 88]


def test_pie(run):
    found = chart(run, "plt.pie([90, 10], labels=['No', 'No, in blue'], autopct='%1.1f%%', startangle=90); plt.title('Early?')")
    assert isinstance(found, PieChart) and found.title == "Early?"
    assert [(part.label, part.angle, part.radius) for part in found.elements] == [("No", 324, 1), ("No, in blue", 36, 1)]


def test_several_in_one_figure(run):
    found = chart(run, """
fig, axs = plt.subplots(1, 2)
fig.suptitle('Several')
axs[0].plot(np.arange(100), np.arange(100)); axs[0].set_title('Line'); axs[0].grid(True)
axs[1].scatter([1, 2], [3, 4]); axs[1].set_title('Cloud'); axs[1].set_xlabel('X'); axs[1].grid(True)
""")
    assert isinstance(found, SuperChart) and (found.type, found.title) == (ChartType.SUPERCHART, "Several")
    line, cloud = found.elements
    assert isinstance(line, LineChart) and (line.title, line.x_label) == ("Line", None) and len(line.elements[0].points) == 100
    assert isinstance(cloud, ScatterChart) and (cloud.title, cloud.x_label) == ("Cloud", "X")


def test_unknown_and_blank(run):
    found = chart(run, "fig, ax = plt.subplots(); ax.add_artist(plt.Circle((0, 0), 1, fill=False)); ax.grid(True); plt.title('Circle')")
    assert isinstance(found, Chart) and (found.type, found.title) == (ChartType.UNKNOWN, "Circle")
    assert chart(run, "plt.figure()") is None


def test_it_has_json(run):
    execution = run(f"{PLOT}plt.scatter(np.random.rand(5), np.random.rand(5)); plt.xlabel('A'); plt.show()")
    assert json.loads(execution.to_json())["results"][0]["chart"]["type"] == "scatter"


def test_a_figure_as_the_value(run):
    execution = run(f"{PLOT}fig, ax = plt.subplots(); ax.plot([1, 2], [3, 5]); plt.close(fig); fig")
    assert execution.results[0].chart.type == ChartType.LINE and execution.results[0].is_main_result
