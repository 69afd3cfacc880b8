"""A small plan folder that uses every table, and ways to break it."""

# ruff: noqa: E501

from collections.abc import Mapping
from pathlib import Path

FILES: Mapping[str, str] = {
    "plan.toml": """\
name = "试验方案"
status_date = 2020-12-31
plan_year = 2021
target = 1200
amount_unit = "万元"

[systems]
transport = "交通"
derived = ["transport"]
""",
    "projects.csv": """\
id,name,county,type,investor,stage,rank,total,done_before_year,annual_plan,planned_start,planned_finish,gates,funding,predecessors,duration,cost,quantity,unit
P1,一号路,city,road,government,continuing,1,1000,400,300,2020-03-01,2021-10-31,none,general_budget:0.4;loan:0.6,,,,12,km
P2,二号路,north,road,government,new,2,800,0,300,2021-04-01,2022-06-30,permit,A1:1,,,,8,km
P3,医院,city,hospital,government,new,3,1200,0,100,2021-12-01,2022-12-31,land;permit,A1:1/3;loan:2/3,P1,"lognormal(median=1, sigma=0.2)",,,
P4,厂房,city,plant,enterprise,new,4,900,0,200,2021-05-01,2022-05-31,none,own:1,,"pert(0.8, 1, 1.5)",empirical(costs.txt),,
P5,仓库,north,plant,enterprise,new,5,700,0,300,2021-03-01,2022-03-31,none,own:0.5;loan:0.5,,,,,
""",
    "costs.txt": "cost\n0.9\n1.0\n1.3\n",
    "accounts.csv": """\
id,name,class,county,opening,budget
A1,市本级预算,general_budget,city,10,900
A2,市本级贷款,loan,city,0,900
""",
    "releases.csv": """\
account,batch,available,amount,project
A1,2021-01,2021-01-15,400,
A1,2021-02,2021-02-15,300,P2
A2,2021-01,2021-01-20,500,
""",
    "types.csv": """\
type,duration,cost,acceptance_days,season,funding,advance_recovery
road,"triangular(0.9, 1, 1.4)",fixed(1),fixed(10),site,,0.2-0.8
hospital,fixed(1),"uniform(0.9, 1.2)",fixed(30),,general_budget:1,
plant,fixed(1),fixed(1),,,,
""",
    "gates.csv": """\
procedure,gate,after,preparation,review,window
approval,land,,fixed(5),"uniform(5, 20)",W1
approval,permit,land,fixed(5),fixed(10),W2
""",
    "windows.csv": "window,name,places\nW1,自然资源窗口,2\nW2,住建窗口,\n",
    "calendar.csv": """\
season,from,to,availability,cause
site,01-25,02-28,0.2,festival
site,2021-11-15,2022-03-15,,no_start
""",
    "drivers.toml": """\
[festival_stop]
title = "春节停工"
distribution = "triangular(18, 25, 35)"
acts_on = "calendar"
cause = "festival"

[prices]
title = "材料价格"
distribution = "normal(1.02, 0.03, 0.9, 1.2)"
stress = "normal(1.1, 0.03, 0.9, 1.3)"
acts_on = "cost"
exposure = { by = "type", default = 1.0, road = 1.2 }

[dependence]
city = 0.1
""",
    "risks.csv": 'id,name,probability,days\nR1,文物,0.1,"lognormal(median=30, sigma=0.5)"\n',
    "commitments.csv": """\
id,text,strength,kind,projects,quantity,unit,deadline,why_outside
C1,一号路建成,must,finish,P1,,,2021-12-31,
C2,新增道路20公里,plan,quantity,P1;P2,20,km,2022-12-31,
C3,就业,strive,outside,,,,,模型不含就业
""",
    "correlations.csv": "variable,project_a,project_b,correlation\nduration,P3,P4,0.3\n",
}


def write_plan(folder: Path, changed: Mapping[str, str | bytes | None] | None = None) -> Path:
    """Write the plan, with some files changed or, where None, left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ({**FILES, **(changed or {})}).items():
        if isinstance(content, str):
            content = content.encode()
        if content is not None:
            (folder / name).write_bytes(content)
    return folder


def replaced(name: str, old: str, new: str) -> dict[str, str]:
    """Return a file with the one place that reads `old` reading `new`."""
    assert FILES[name].count(old) == 1, f"'{old}' does not stand exactly once in {name}"
    return {name: FILES[name].replace(old, new)}
