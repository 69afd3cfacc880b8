"""Words of the terminal, and names of codes, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from sim.figures.amounts import Language

TEXT: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "title": "{title}（{plan}）",
        "target": "年度目标 {target} {unit}；纳入目标项目年度计划合计 {annual} {unit}；"
        "{count:,} 个项目；{replications:,} 次模拟",
        "headline": "年末（{year}年12月31日）累计完成投资，{unit}",
        "measure": "口径",
        "reported": "填报完成投资",
        "work_done": "形象进度对应投资",
        "paid": "支付",
        "mean": "均值",
        "error": "标准误",
        "met": "达标可能性 [95%区间]",
        "short": "最差5%平均缺口",
        "sure": "八成把握填报不低于 {p20} {unit}（P20）；一半把握不低于 {p50} {unit}（P50）。",
        "few": "只有 {count} 次模拟，太少，不足以谈把握；请用 -n 增加次数。",
        "promises": "承诺：‘确保’类，以及最难守住的几项（全部见 commitments.csv）",
        "promise": "承诺",
        "deadline": "期限",
        "kept": "守住的可能性 [95%区间]",
        "must": "确保",
        "paid_note": "三个口径不可混用：填报是上报数，形象进度是实物工程量，支付是实际付出的资金。",
        "unlimited": "本次运行资金不设上限。",
        "net": "剔除超概算增长后，填报 P50 为 {reported} {unit}，形象进度 P50 为 {work} {unit}。",
        "owed": "年末到期未付款（欠款）：P50 {p50} {unit}（P10–P90：{p10}–{p90}）。",
        "dropped": "中途中止的项目：中位 {p50:,}（P10–P90：{p10:,}–{p90:,}）",
        "revised": "调整后计划 {plan} {unit}（调入 {joined}、调出 {left} 个项目，中位）；"
        "填报完成调整后计划的可能性 {odds}",
        "execution": "年末预算执行率（支付占年度预算）",
        "class": "资金类别",
        "budget": "年度预算",
        "causes": "工期得失从何而来（平均每个项目比计划多出的天数，负数为抢回）",
        "cause": "原因",
        "days": "平均天数",
        "days_by_plan": "按年度计划加权",
        "starts": "年内开工：计划 {planned:,}，模拟中位 {p50:,}（P10–P90：{p10:,}–{p90:,}）",
        "finishes": "年内竣工：计划 {planned:,}，模拟中位 {p50:,}（P10–P90：{p10:,}–{p90:,}）",
        "months": "各月末占年度计划的比例（中位数），与公开清单对照",
        "own_months": "各月末占年度计划的比例（中位数）",
        "month": "月末",
        "plan": "计划推算",
        "simulated": "模拟（填报）",
        "completing": "竣工类",
        "continuing": "续建类",
        "new": "新开工类",
        "published": "公开清单中位数",
        "lists": "清单数",
        "bias": "公开数为各地自报、相互重叠、偏向进度好的地方，应视为上限参照；未用于调参。",
        "unused": "已读取、本次运行中不起作用：{names}",
        "folder": "结果文件夹：{folder}",
        "phase": "顺序",
        "name": "阶段",
        "does": "做什么",
        "phases": "一天之内各阶段的顺序；阶段内按项目排序（rank）先后",
    },
    "en": {
        "title": "{title} ({plan})",
        "target": "Target {target}; annual plans of the projects in it {annual} ({unit}); "
        "{count:,} projects; {replications:,} replications",
        "headline": "Cumulative investment at 31 December {year}, {unit}",
        "measure": "measure",
        "reported": "reported",
        "work_done": "work done",
        "paid": "paid",
        "mean": "mean",
        "error": "standard error",
        "met": "target met [95 % interval]",
        "short": "mean shortfall, worst 5 %",
        "sure": "Eighty per cent sure that reported reaches {p20} (P20); even odds of {p50} (P50).",
        "few": "Only {count} replications: too few to speak of odds; ask for more with -n.",
        "promises": "Promises: the 'must' ones, and those hardest to keep (all in commitments.csv)",
        "promise": "promise",
        "deadline": "deadline",
        "kept": "kept [95 % interval]",
        "must": "must",
        "paid_note": "Three measures, never to be mixed: reported is what owners file, work done "
        "is physical progress, paid is money that left an account.",
        "unlimited": "Money is unlimited in this run.",
        "net": "Net of growth beyond approved estimates the median is {reported} {unit} reported "
        "and {work} {unit} of work done.",
        "owed": "Due and unpaid at year-end (arrears): median {p50} {unit} (P10-P90: {p10}-{p90}).",
        "dropped": "Projects given up on the way: median {p50:,} (P10-P90: {p10:,}-{p90:,})",
        "revised": "Revised plan {plan} {unit} (median of {joined} projects in, {left} out); "
        "reported meets it with {odds}",
        "execution": "Execution of the year's budget at year-end (paid over budget)",
        "class": "class of money",
        "budget": "budget",
        "causes": "Where the days went (mean days a project beyond plan; negative: won back)",
        "cause": "cause",
        "days": "mean days",
        "days_by_plan": "weighted by annual plan",
        "starts": "Started in the year: planned {planned:,}, median {p50:,} "
        "(P10-P90: {p10:,}-{p90:,})",
        "finishes": "Finished in the year: planned {planned:,}, median {p50:,} "
        "(P10-P90: {p10:,}-{p90:,})",
        "months": "Share of the annual plan at month-ends (medians), beside published lists",
        "own_months": "Share of the annual plan at month-ends (medians)",
        "month": "end of",
        "plan": "as planned",
        "simulated": "simulated (reported)",
        "completing": "completing",
        "continuing": "continuing",
        "new": "new",
        "published": "published median",
        "lists": "lists",
        "bias": "Published shares are self-reported, overlap, and come from places that do well: "
        "an upper band. Nothing is fitted to them.",
        "unused": "Read and checked, without effect in this run: {names}",
        "folder": "Run folder: {folder}",
        "phase": "order",
        "name": "phase",
        "does": "what happens",
        "phases": "Phases within a day; inside a phase events run in order of rank",
    },
}

CLASSES: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "general_budget": "一般公共预算", "fund_budget": "政府性基金", "special_bond": "专项债券",
        "grant": "上级资金", "loan": "银行贷款", "own": "业主自有资金", "other": "其他",
    },
    "en": {
        "general_budget": "general budget", "fund_budget": "government fund",
        "special_bond": "special bonds", "grant": "higher-level grants", "loan": "bank loans",
        "own": "owners' own funds", "other": "other",
    },
}  # fmt: skip
"""Classes of accounts."""

CAUSES: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "gate": "审批", "window": "窗口排队", "predecessor": "紧前项目", "slip": "开工推迟",
        "no_start": "禁止开工期", "equity": "等待资本金", "pulled_forward": "提前安排",
        "work": "工程量与工效", "stops": "风险停工", "opportunities": "有利事件",
        "arrears": "欠款放缓", "acceleration": "赶工", "last_day": "末日余量",
    },
    "en": {
        "gate": "gates", "window": "queues", "predecessor": "predecessors", "slip": "slip",
        "no_start": "no-start period", "equity": "waiting for equity",
        "pulled_forward": "pulled forward", "work": "amount and pace of work",
        "stops": "stops by risks", "opportunities": "opportunities", "arrears": "arrears",
        "acceleration": "acceleration", "last_day": "rest of the last day",
    },
}  # fmt: skip
"""Causes of days that every plan knows; those of its calendar bring their own titles."""


def cause_title(cause: str, titles: Mapping[str, Mapping[str, str]], language: Language) -> str:
    """Return what people call a cause.

    Parameters
    ----------
    cause : str
        Its code.
    titles : mapping
        Titles of the causes of the plan's calendar, by code and language.
    language : {"zh", "en"}
        Language.
    """
    known = CAUSES[language]
    return known[cause] if cause in known else titles[cause][language]
