# A context's shell: bash reads its orders as its script, from descriptor 3, and this file is the first of them. An order
# is one line of commands and, behind it, the cell's own bytes, which `__cell_take` reads: see `contexts/order.rs`.
# Answers are lines of JSON on 4. Descriptors 1 and 2, 5 and 6, 7 and 8, 9 and 10 are lanes: a cell whose lane is
# still held by what an earlier one left behind takes another.

BASH_ARGV0=bash
# The first lane's, wherever a cell sends its own. 13 is a cell's standard input.
exec 11>&1 12>&2
__cell_kept_names=() __cell_kept_values=() __cell_kept_set=()
__cell_id= __cell_traced= __cell_stopped= __cell_out=11 __cell_err=12 __cell_lane=0

# Reads the next cell, of so many bytes: assignments, exports and arguments.
__cell_take() {
  local - size=$1
  set +efuxv
  local order IFS
  LC_ALL=C read -r -N "$size" -u 3 order
  __cell_stdin= __cell_args=()
  eval "$order"
  __cell_code=$__cell_traced$__cell_code
  if [[ $__cell_stdin ]]; then
    exec 13< <(exec 2>/dev/null; printf %b "$__cell_stdin")
  else
    exec 13</dev/null
  fi
  __cell_choose
  # A cell's own trap stays as it is.
  [[ $(trap -p INT) ]] || trap "$__cell_interrupt" INT
  __cell_stopped=
  printf '{"type":"begun","cell":"%s","lane":%s}\n' "$__cell_id" "$__cell_lane" >&4
}

# Notes what a variable is, for when the cell is over. Names of its own alone: a cell's variable may have any other.
__cell_keep() {
  __cell_kept_names+=("$1")
  __cell_kept_values+=("${!1-}")
  [[ -v $1 ]] && __cell_kept_set+=(1) || __cell_kept_set+=('')
}

# Variables that were set for one cell are as they were.
__cell_restore() {
  local __cell_at
  for __cell_at in "${!__cell_kept_names[@]}"; do
    if [[ ${__cell_kept_set[__cell_at]} ]]; then
      export "${__cell_kept_names[__cell_at]}=${__cell_kept_values[__cell_at]}"
    else
      unset "${__cell_kept_names[__cell_at]}"
    fi
  done
  __cell_kept_names=() __cell_kept_values=() __cell_kept_set=()
}

# A lane that only this shell holds; without one the first, for nobody.
__cell_choose() {
  local lane out err
  for lane in "$__cell_lane" 0 1 2 3; do
    case $lane in 0) out=11 err=12 ;; *) out=$((3 + 2 * lane)) err=$((4 + 2 * lane)) ;; esac
    __cell_is_free $out $err || continue
    __cell_lane=$lane __cell_out=$out __cell_err=$err
    return
  done
  __cell_lane=null __cell_out=11 __cell_err=12
}

__cell_is_free() {
  local fd
  for fd in /proc/[0-9]*/fd/[12]; do
    [[ $fd == /proc/$$/* ]] && continue
    [[ $fd -ef /proc/$$/fd/$1 || $fd -ef /proc/$$/fd/$2 ]] && return 1
  done
  return 0
}

# Ctrl-C ends the cell, not the shell: loops break, and what would come next is passed over.
__cell_interrupt='[[ $__cell_id ]] && { __cell_stopped=1; shopt -s extdebug; trap "break 1000 2>/dev/null; __cell_skip" DEBUG; break 1000 2>/dev/null; }'
__cell_skip() {
  [[ $BASH_COMMAND == "__cell_over "* ]] || return 2
  trap - DEBUG
  shopt -u extdebug
  return 0
}

# The cell is over, with this status. What it traces stays its own: until the next cell nothing is.
__cell_over() {
  __cell_traced=
  [[ $- == *x* ]] && __cell_traced='set -x; '
  set +x
  [[ ${__cell_kept_names[*]} ]] && __cell_restore
  local - status=$1
  set +efuv
  [[ $__cell_stopped ]] && status=130
  exec 13<&-
  printf '{"type":"end","cell":"%s","exit_code":%s}\n' "$__cell_id" "$status" >&4
  __cell_id=
}
