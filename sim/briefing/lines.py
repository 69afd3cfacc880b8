"""What the command line says, in both languages."""

from __future__ import annotations

SAYS = {
    "zh": {
        "interrupted": "已中断；重新运行同一命令即可。",
        "kept": "已中断；已完成 {done:,} / {count:,} 次模拟并保留，重新运行同一命令即可继续。",
        "resumed": "已有 {done:,} 次，继续（共 {count:,} 次）",
        "full": "磁盘已满：无法写入“{place}”（{reason}）；"
        "已完成 {done:,} / {count:,} 次模拟并保留；腾出空间后重新运行同一命令即可继续",
        "full_done": "磁盘已满：无法写入“{place}”（{reason}）；本次运行已完成并保留；"
        "腾出空间后重新运行同一命令即可",
        "no_place": "结果文件夹无法使用：“{place}”（{reason}）；未开始模拟，请用 --out 换一个",
        "failed": "运行失败：{error}（加 --debug 查看细节）",
        "problems": "输入有误：{errors} 个错误，{warnings} 个提醒；未写入任何文件。",
        "checked": "检查通过：{errors} 个错误，{warnings} 个提醒。",
        "more": "……另有 {count} 条未列出",
        "found": "同一运行已有结果，直接读取（指纹 {mark}）。",
        "simulating": "模拟",
        "verifying": "核验",
        "per_second": "次/秒",
        "warnings": "提醒 {count} 条，查看：{command}",
        "idle": "以下改动在本次运行中不起作用：{paths}",
        "disagree": "警告：两个引擎对第 {replications} 次模拟的结果不一致，本次结果不可用；"
        "请把结果文件夹交给开发者。",
        "compiling": "首次使用：正在编译仿真引擎，约需一分钟；以后各次直接使用编译结果。",
        "no_compiler": "未安装编译器（numba）：由参考引擎模拟，结果相同，但慢数百倍。",
    },
    "en": {
        "interrupted": "Interrupted. The same command does the rest.",
        "kept": "Interrupted; replications done and kept: {done:,} of {count:,}. The same "
        "command continues.",
        "resumed": "{done:,} done earlier, continuing ({count:,} in all)",
        "full": "The disk is full: cannot write '{place}' ({reason}); replications done and "
        "kept: {done:,} of {count:,}; make room, and the same command continues",
        "full_done": "The disk is full: cannot write '{place}' ({reason}); the run itself is done "
        "and kept; make room and give the same command again",
        "no_place": "The folder of results cannot be used: '{place}' ({reason}); nothing was "
        "simulated; give another one with --out",
        "failed": "Failed: {error} (details with --debug)",
        "problems": "The input is wrong (errors: {errors}, warnings: {warnings}); nothing written.",
        "checked": "Checked (errors: {errors}, warnings: {warnings}).",
        "more": "... and {count} more",
        "found": "The same run is already there; reading it (fingerprint {mark}).",
        "simulating": "simulating",
        "verifying": "verifying",
        "per_second": "a second",
        "warnings": "Warnings: {count}; to see them: {command}",
        "idle": "These changes have no effect in this run: {paths}",
        "disagree": "Warning: the two engines differ in replications {replications}: do not use "
        "these results, and show the run folder to the developers.",
        "compiling": "First use: compiling the engine, about a minute; later runs use what is "
        "compiled.",
        "no_compiler": "The compiler (numba) is not installed: the reference engine simulates; the "
        "results are the same, but it takes hundreds of times as long.",
    },
}
USAGE = {
    "zh": {
        "usage": "用法：{usage}",
        "help": "查看帮助：{command} --help",
        "wrong": "命令行有误：{reason}",
        "no_option": "没有选项“{name}”",
        "no_command": "没有命令“{name}”",
        "near": "，最接近的是“{near}”",
        "missing": "缺少 {hint}",
        "needs_value": "选项“{name}”之后缺少取值",
        "takes_none": "选项“{name}”不带取值",
        "choice": "{hint} 不在可选值之内，可选：{choices}",
        "whole": "{hint} 须为整数，不小于 {low}",
        "most": "，不大于 {high}",
    },
    "en": {
        "usage": "Usage: {usage}",
        "help": "For help: {command} --help",
        "wrong": "The command line is wrong: {reason}",
        "no_option": "there is no option '{name}'",
        "no_command": "there is no command '{name}'",
        "near": "; the nearest is '{near}'",
        "missing": "{hint} is missing",
        "needs_value": "option '{name}' lacks its value",
        "takes_none": "option '{name}' takes no value",
        "choice": "{hint} is none of the choices {choices}",
        "whole": "{hint} must be a whole number of at least {low}",
        "most": " and at most {high}",
    },
}
