# A context's interpreter: one cell after another, in the global environment, which stays.
#
# An order is a line of JSON on descriptor 3, an answer one on 4. R cannot turn its outputs elsewhere, so there is one lane:
# what an earlier cell left running prints into the next. Nor can it change its standard input: cells have none.

local({
  # What one value may have, in bytes as they are sent; what is over is named and left out.
  MAX_SHOWN <- 2^20
  MAX_TRACEBACK <- 2^16
  # A pipe has no end of a block to wait for.
  orders <- fifo("/dev/fd/3", "r", blocking = TRUE)
  control <- fifo("/dev/fd/4", "w", blocking = TRUE)
  plots <- tempfile("plot-", fileext = ".pdf")

  # A text as JSON has it.
  quoted <- function(text) {
    text <- iconv(enc2utf8(paste(text, collapse = "\n")), "UTF-8", "UTF-8", sub = "byte")
    for (each in c("\\", "\"")) text <- gsub(each, paste0("\\", each), text, fixed = TRUE)
    for (code in c(1:31, 127)) {
      text <- gsub(intToUtf8(code), sprintf("\\u%04x", code), text, fixed = TRUE)
    }
    paste0("\"", text, "\"")
  }

  bounded <- function(text, most) if (nchar(text, "bytes") <= most) text else substr(text, 1, most %/% 4)

  # Says a line; values are JSON already.
  say <- function(type, cell, ...) {
    more <- c(type = quoted(type), cell = quoted(cell), ...)
    line <- paste0("{", paste0("\"", names(more), "\":", more, collapse = ","), "}")
    writeLines(line, control, useBytes = TRUE)
    flush(control)
  }

  show <- function(type, cell, kind, text) {
    text <- quoted(text)
    size <- nchar(text, "bytes")
    if (size > MAX_SHOWN) text <- quoted(sprintf("<%s of %d bytes left out>", kind, size))
    say(type, cell, data = paste0("{", quoted(kind), ":", text, "}"))
  }

  # JSON's texts are R's, too; what is between them is written otherwise.
  read_order <- function(line) {
    texts <- gregexpr("\"(?:[^\"\\\\]++|\\\\.)*+\"", line, perl = TRUE)
    between <- regmatches(line, texts, invert = TRUE)[[1]]
    between <- gsub(":", "=", gsub("[]}]", ")", gsub("[[{]", "list(", between)), fixed = TRUE)
    texts <- c(regmatches(line, texts)[[1]], "")
    code <- paste0(between, texts, collapse = "")
    eval(parse(text = code, keep.source = FALSE, encoding = "UTF-8"), baseenv())
  }

  base64 <- function(bytes) {
    letters64 <- c(LETTERS, letters, 0:9, "+", "/")
    missing <- (3 - length(bytes) %% 3) %% 3
    three <- matrix(c(as.integer(bytes), integer(missing)), nrow = 3)
    four <- rbind(three[1, ] %/% 4, three[1, ] %% 4 * 16 + three[2, ] %/% 16, three[2, ] %% 16 * 4 + three[3, ] %/% 64, three[3, ] %% 64)
    text <- letters64[four + 1]
    if (missing) text[length(text) - seq_len(missing) + 1] <- "="
    paste(text, collapse = "")
  }

  # What was drawn; the next cell draws anew.
  show_plots <- function(cell) {
    if (length(grDevices::dev.list()) > 0) grDevices::graphics.off()
    if (!file.exists(plots)) return()
    bytes <- readBin(plots, "raw", file.size(plots))
    unlink(plots)
    if (length(bytes) > 0) show("display", cell, "application/pdf", base64(bytes))
  }

  # Calls above those of the cell that runs.
  above <- 0

  # Each value that R would print is shown; that of the last expression is the cell's.
  run <- function(cell, code) {
    # `withVisible` and `eval`, which counts twice.
    above <<- sys.nframe() + 3
    expressions <- parse(text = code, keep.source = FALSE)
    for (at in seq_along(expressions)) {
      value <- withVisible(eval(expressions[[at]], globalenv()))
      if (!value$visible) next
      text <- paste(utils::capture.output(print(value$value)), collapse = "\n")
      show(if (at == length(expressions)) "result" else "display", cell, "text/plain", text)
    }
  }

  # What a cell did not catch: its class, its message, and the calls that led to it from the cell on.
  described <- function(error, calls) {
    call <- conditionCall(error)
    is_cell <- is.null(call) || identical(call[[1]], quote(eval)) || identical(call[[1]], quote(parse))
    head <- if (is_cell) "Error: " else paste0("Error in ", deparse(call, nlines = 1)[1], " : ")
    lines <- vapply(calls, function(each) deparse(each, nlines = 1)[1], "")
    trace <- if (length(lines)) paste0("\n", seq_along(lines), ". ", lines, collapse = "") else ""
    message <- conditionMessage(error)
    list(name = class(error)[1], value = bounded(message, MAX_TRACEBACK), traceback = bounded(paste0(head, message, trace), MAX_TRACEBACK))
  }

  # The error that ended it; `NULL`: none did.
  error_of <- function(cell, code) {
    calls <- list()
    # The last two are the handler's.
    note <- function(error) calls <<- utils::head(utils::tail(as.list(sys.calls()), -above), -2)
    tryCatch(
      {
        withCallingHandlers(allowInterrupts(run(cell, code)), error = note)
        NULL
      },
      error = function(error) described(error, calls),
      interrupt = function(interrupt) list(name = "Interrupt", value = "", traceback = "")
    )
  }

  variables <- function(values) {
    unset <- is.na(values)
    if (any(unset)) Sys.unsetenv(names(values)[unset])
    if (any(!unset)) do.call(Sys.setenv, as.list(values[!unset]))
  }

  carry_out <- function(order) {
    cell <- order$id
    env <- unlist(order$env)
    before <- if (identical(order$env_scope, "cell") && length(env)) Sys.getenv(names(env), unset = NA, names = TRUE)
    if (length(env)) variables(env)
    # One that came too late for the cell before is nobody's.
    tryCatch(allowInterrupts(Sys.sleep(0)), interrupt = function(interrupt) NULL)
    say("begun", cell, lane = "0")
    error <- if (nzchar(order$stdin)) {
      list(name = "Error", value = "cells in R have no standard input: use a file", traceback = "")
    } else {
      error_of(cell, sub("^\ufeff", "", order$code))
    }
    # What cannot be drawn to its end is left out.
    try(show_plots(cell), silent = TRUE)
    if (!is.null(error)) say("error", cell, name = quoted(error$name), value = quoted(error$value), traceback = quoted(error$traceback))
    if (length(before)) variables(before)
    say("end", cell, exit_code = if (is.null(error)) "0" else "1")
  }

  # Warnings come when they are given: there is no end of a line to wait for.
  options(warn = 1, device = function(...) grDevices::pdf(plots, ...))
  suspendInterrupts(while (length(line <- readLines(orders, 1, encoding = "UTF-8", warn = FALSE)) == 1) carry_out(read_order(line)))
})
quit("no")
