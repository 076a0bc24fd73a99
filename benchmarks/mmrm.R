# Times of R's peers on one data set: Rscript mmrm.R data.csv formula subject visit label
# A package that is not installed is left out. Prints lines in the format of mmrm.py.
args <- commandArgs(trailingOnly = TRUE)
data <- read.csv(args[1], stringsAsFactors = TRUE)
formula <- as.formula(args[2]); subject <- args[3]; visit <- args[4]; label <- args[5]
data[[subject]] <- factor(data[[subject]]); data[[visit]] <- factor(data[[visit]])
response <- all.vars(formula)[1]
data <- data[!is.na(data[[response]]), ]
data$visit_number <- as.integer(data[[visit]])
big <- nrow(data) > 5000

timed <- function(who, call, repeats = if (big) 1 else 5) {
  times <- vapply(seq_len(repeats), function(i) {
    gc(FALSE)
    spent <- system.time(tryCatch(call(), error = function(e) message(who, ": ", conditionMessage(e))))
    c(spent[["elapsed"]], spent[["user.self"]] + spent[["sys.self"]])
  }, c(0, 0))
  say <- function(seconds) if (seconds < 1) sprintf("%.1f ms", 1000 * seconds) else sprintf("%.2f s", seconds)
  shown <- sprintf("%s (CPU %s)", say(median(times[1, ])), say(median(times[2, ])))
  cat(sprintf("%-28s %-34s %26s\n", label, who, shown))
}
has <- function(package) suppressMessages(suppressWarnings(requireNamespace(package, quietly = TRUE)))

if (has("mmrm")) {
  term <- as.formula(sprintf(". ~ . + us(%s | %s)", visit, subject))
  timed("R mmrm us + KR-Linear", function() {
    mmrm::mmrm(update(formula, term), data, method = "Kenward-Roger", vcov = "Kenward-Roger-Linear")
  })
}
if (has("nlme")) {
  timed("R nlme::gls us (no df)", function() {
    nlme::gls(formula, data,
      correlation = nlme::corSymm(form = as.formula(sprintf("~ visit_number | %s", subject))),
      weights = nlme::varIdent(form = as.formula(sprintf("~ 1 | %s", visit)))
    )
  })
}
if (has("lme4")) {
  random <- as.formula(sprintf(". ~ . + (0 + %s | %s)", visit, subject))
  control <- lme4::lmerControl(check.nobs.vs.nRE = "ignore", calc.derivs = FALSE)
  fit <- function() suppressMessages(suppressWarnings(lme4::lmer(update(formula, random), data, control = control)))
  timed("R lme4 (0 + visit | id) (no df)", fit)
  if (has("pbkrtest") && !big) {
    timed("R lme4 + pbkrtest KR, table", function() {
      model <- fit()
      adjusted <- pbkrtest::vcovAdj(model)
      for (k in seq_along(lme4::fixef(model))) {
        pbkrtest::Lb_ddf(as.numeric(seq_along(lme4::fixef(model)) == k), vcov(model), adjusted)
      }
    }, repeats = 3)
  }
}
if (has("glmmTMB")) {
  random <- as.formula(sprintf(". ~ . + us(0 + %s | %s)", visit, subject))
  timed("R glmmTMB us, REML (no df)", function() {
    suppressWarnings(glmmTMB::glmmTMB(update(formula, random), data, dispformula = ~0, REML = TRUE))
  }, repeats = if (big) 1 else 3)
}
