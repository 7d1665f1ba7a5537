// A context's interpreter: JShell in this very process, one cell after another; what cells declare stays.
//
// An order is a line of JSON on descriptor 3, an answer one on 4. Java cannot turn its outputs elsewhere, so there is one
// lane: what an earlier cell left running prints into the next. Nor can it change its environment: a cell's variables
// are system properties, and so are the process' own.

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import jdk.jshell.EvalException;
import jdk.jshell.JShell;
import jdk.jshell.JShellException;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;

public class Context {
    /** What one value may have, in bytes as they are sent; what is over is named and left out. */
    static final int MAX_SHOWN = 1 << 20;
    static final int MAX_TRACEBACK = 64 << 10;
    /** What jshell imports by itself. */
    static final List<String> IMPORTS = List.of("io", "math", "net", "nio.file", "util", "util.concurrent", "util.function", "util.regex", "util.stream");

    final JShell shell = JShell.builder().executionEngine("local").build();
    final SourceCodeAnalysis analysis = shell.sourceCodeAnalysis();
    final FileOutputStream control;
    /** A cell runs, and no one has interrupted it. */
    final AtomicBoolean running = new AtomicBoolean();
    final AtomicBoolean interrupted = new AtomicBoolean();

    /** What a cell did not catch. */
    record Failure(String name, String value, String traceback) {}

    Context(FileOutputStream control) {
        this.control = control;
        System.getenv().forEach((name, value) -> {
            if (System.getProperty(name) == null) System.setProperty(name, value);
        });
        for (String name : IMPORTS) shell.eval("import java." + name + ".*;");
    }

    public static void main(String[] args) throws IOException {
        Context context = new Context(new FileOutputStream("/dev/fd/4"));
        // Between cells an interrupt that came too late is nobody's.
        sun.misc.Signal.handle(new sun.misc.Signal("INT"), signal -> context.interrupt());
        var orders = new BufferedReader(new InputStreamReader(new FileInputStream("/dev/fd/3"), StandardCharsets.UTF_8));
        for (String line; (line = orders.readLine()) != null; ) {
            context.carryOut((Map<?, ?>) new Json(line).value());
        }
        System.exit(0);
    }

    void interrupt() {
        if (running.get()) {
            interrupted.set(true);
            shell.stop();
        }
    }

    void carryOut(Map<?, ?> order) throws IOException {
        String cell = (String) order.get("id");
        Map<String, String> before = new LinkedHashMap<>();
        ((Map<?, ?>) order.get("env")).forEach((name, value) ->
                before.put((String) name, System.setProperty((String) name, (String) value)));
        System.setIn(new ByteArrayInputStream(Base64.getDecoder().decode((String) order.get("stdin"))));
        interrupted.set(false);
        say("begun", cell, ",\"lane\":0");
        running.set(true);
        Failure failure = run(cell, (String) order.get("code"));
        running.set(false);
        System.out.flush();
        System.err.flush();
        if (interrupted.get()) failure = new Failure("Interrupted", "", "");
        if (failure != null) {
            say("error", cell, ",\"name\":" + Json.text(failure.name) + ",\"value\":" + Json.text(cut(failure.value, MAX_TRACEBACK))
                    + ",\"traceback\":" + Json.text(cut(failure.traceback, MAX_TRACEBACK)));
        }
        if ("cell".equals(order.get("env_scope"))) {
            before.forEach((name, value) -> {
                if (value == null) System.clearProperty(name);
                else System.setProperty(name, value);
            });
        }
        say("end", cell, ",\"exit_code\":" + (failure == null ? 0 : 1));
    }

    /** Runs its snippets up to the first that fails. */
    Failure run(String cell, String code) throws IOException {
        String rest = code;
        while (!rest.isBlank() && !interrupted.get()) {
            CompletionInfo next = analysis.analyzeCompletion(rest);
            String source = next.source() == null ? rest : next.source();
            rest = next.source() == null || next.remaining() == null ? "" : next.remaining();
            for (SnippetEvent event : shell.eval(source)) {
                Failure failure = failure(event);
                if (failure != null) return failure;
                if (isValue(event) && rest.isBlank()) show(cell, event.value());
            }
        }
        return null;
    }

    /** Whether it is an expression that has a value and gives it to no variable of the cell's. */
    static boolean isValue(SnippetEvent event) {
        if (event.causeSnippet() != null || event.value() == null || event.value().isEmpty()) return false;
        return switch (event.snippet().subKind()) {
            case TEMP_VAR_EXPRESSION_SUBKIND, VAR_VALUE_SUBKIND, OTHER_EXPRESSION_SUBKIND -> true;
            default -> false;
        };
    }

    Failure failure(SnippetEvent event) {
        if (event.status() == Snippet.Status.REJECTED) {
            String text = shell.diagnostics(event.snippet()).map(each -> each.getMessage(Locale.ROOT)).collect(Collectors.joining("\n"));
            return new Failure("CompilationError", text, event.snippet().source() + "\n" + text);
        }
        JShellException exception = event.exception();
        if (exception == null) return null;
        String name = exception instanceof EvalException own ? own.getExceptionClassName() : exception.getClass().getName();
        String value = String.valueOf(exception.getMessage());
        // Frames of the cell alone: those below are this file's and JShell's.
        String frames = Arrays.stream(exception.getStackTrace()).limit(100)
                .map(frame -> "\n\tat " + frame).collect(Collectors.joining());
        return new Failure(name, value, name + ": " + value + frames);
    }

    void show(String cell, String value) throws IOException {
        String shown = Json.text(value);
        int size = shown.getBytes(StandardCharsets.UTF_8).length;
        if (size > MAX_SHOWN) shown = Json.text("<text/plain of " + size + " bytes left out>");
        say("result", cell, ",\"data\":{\"text/plain\":" + shown + "}");
    }

    /** Says a line; what a cell printed is out before it. */
    void say(String type, String cell, String more) throws IOException {
        System.out.flush();
        String line = "{\"type\":\"" + type + "\",\"cell\":" + Json.text(cell) + more + "}\n";
        control.write(line.getBytes(StandardCharsets.UTF_8));
    }

    static String cut(String text, int most) {
        return text.length() <= most ? text : text.substring(0, most);
    }

    /** JSON of orders: objects, lists and texts. */
    static class Json {
        final String line;
        int at;

        Json(String line) {
            this.line = line;
        }

        Object value() {
            return switch (line.charAt(at)) {
                case '{' -> object();
                case '[' -> list();
                default -> string();
            };
        }

        Map<String, Object> object() {
            Map<String, Object> object = new LinkedHashMap<>();
            for (at++; line.charAt(at) != '}'; comma()) {
                String name = string();
                // The colon.
                at++;
                object.put(name, value());
            }
            at++;
            return object;
        }

        List<Object> list() {
            List<Object> list = new ArrayList<>();
            for (at++; line.charAt(at) != ']'; comma()) list.add(value());
            at++;
            return list;
        }

        void comma() {
            if (line.charAt(at) == ',') at++;
        }

        String string() {
            StringBuilder text = new StringBuilder();
            for (at++; line.charAt(at) != '"'; at++) {
                char letter = line.charAt(at);
                text.append(letter == '\\' ? escaped() : letter);
            }
            at++;
            return text.toString();
        }

        char escaped() {
            char letter = line.charAt(++at);
            return switch (letter) {
                case 'n' -> '\n';
                case 'r' -> '\r';
                case 't' -> '\t';
                case 'b' -> '\b';
                case 'f' -> '\f';
                case 'u' -> (char) Integer.parseInt(line.substring(at + 1, (at += 4) + 1), 16);
                default -> letter;
            };
        }

        static String text(String text) {
            StringBuilder json = new StringBuilder("\"");
            for (int each = 0; each < text.length(); each++) {
                char letter = text.charAt(each);
                // Escaped one by one, halves of a pair are no text to the host where the other half is missing.
                boolean alone = Character.isSurrogate(letter) && !isPair(text, each);
                if (alone) json.append('\ufffd');
                else if (letter == '"' || letter == '\\') json.append('\\').append(letter);
                else if (letter < ' ' || letter == 0x7f) json.append(String.format("\\u%04x", (int) letter));
                else json.append(letter);
            }
            return json.append('"').toString();
        }

        static boolean isPair(String text, int at) {
            boolean first = Character.isHighSurrogate(text.charAt(at));
            int other = first ? at + 1 : at - 1;
            if (other < 0 || other >= text.length()) return false;
            return first ? Character.isLowSurrogate(text.charAt(other)) : Character.isHighSurrogate(text.charAt(other));
        }
    }
}
