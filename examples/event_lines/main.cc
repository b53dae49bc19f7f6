// event_lines: an extension that writes a line of a file for each event it hears of.
//   EVENT_LINES_FILE=events.tsv STEADYBIT_EXTENSION_PORT=8085 event_lines
// A line has, with tabs between: time, name, principal, execution, state, team, reason, step; `-`
// is what an event does not have, and nothing what is empty.
#include <belfry/eventkit.h>

#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kit = belfry::eventkit;

namespace {

// A tab or a line's end in a text must not become one in the file.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '\t':
                out += "\\t";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\\':
                out += "\\\\";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string text_or_dash(const std::optional<std::string>& text) {
    return text ? escaped(*text) : "-";
}

template <typename... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

std::string principal_text(const kit::Principal& principal) {
    return std::visit(
        Overloaded{
            [](const kit::UserPrincipal& user) { return "user " + user.username; },
            [](const kit::AccessTokenPrincipal& token) {
                return "access_token " + token.id + " " +
                       std::string(kit::token_type_name(token.token_type));
            },
            [](const kit::BatchPrincipal& batch) { return "batch_job " + batch.username; },
            [](const kit::UnknownPrincipal& unknown) { return "unknown " + unknown.json; }
        },
        principal
    );
}

// The columns that depend on what an event is about.
struct Subject {
    std::string execution = "-";
    std::string state = "-";
    std::string reason = "-";
};

Subject subject_of(const kit::Event& event) {
    Subject subject;
    const auto take = [&subject](const auto& execution) {
        subject.execution = execution.experiment_key + "/" + std::to_string(execution.execution_id);
        subject.state = kit::state_name(execution.state);
    };
    if (event.target) {
        take(*event.target);
        subject.reason = text_or_dash(event.target->reason);
    } else if (event.step) {
        take(*event.step);
    } else if (event.experiment) {
        take(*event.experiment);
        subject.reason = text_or_dash(event.experiment->reason);
    }
    return subject;
}

std::string step_text(const std::optional<kit::StepExecution>& step) {
    return step ? text_or_dash(step->custom_label ? step->custom_label : step->action_id) : "-";
}

class EventLines {
 public:
    explicit EventLines(std::string file) : file_(std::move(file)) {}

    // The file is opened for each line: whoever takes it away to read it gets a new one.
    void write(const kit::Event& event, const std::string& step) {
        const Subject subject = subject_of(event);
        const std::vector<std::string> columns = {
            kit::time_text(event.time),
            escaped(event.name),
            escaped(principal_text(event.principal)),
            escaped(subject.execution),
            subject.state,
            event.team ? escaped(event.team->key) : "-",
            subject.reason,
            step
        };
        std::string line;
        for (const std::string& column : columns) {
            line += (line.empty() ? "" : "\t") + column;
        }
        const std::lock_guard lock(mutex_);
        std::ofstream out;
        out.exceptions(std::ios::failbit);  // cannot be opened: an exception like any other
        out.open(file_, std::ios::app);
        out.exceptions(std::ios::goodbit);
        out << line << '\n' << std::flush;
        if (!out) {
            throw kit::ExtensionError("Cannot write the line", file_ + " takes no more");
        }
    }

 private:
    const std::string file_;
    std::mutex mutex_;
};

}  // namespace

int main() {
    const char* file = std::getenv("EVENT_LINES_FILE");
    EventLines lines(file != nullptr ? file : "event_lines.txt");
    kit::Extension extension;
    extension.listen("/events/all", {"*"}, [&lines](const kit::Event& event) {
        lines.write(event, "-");
    });
    extension.listen(
        "/events/experiments",
        {"experiment.execution.created",
         "experiment.execution.completed",
         "experiment.execution.failed",
         "experiment.execution.canceled",
         "experiment.execution.errored"},
        [&lines](const kit::Event& event) { lines.write(event, "-"); },
        kit::Method::put
    );
    extension.listen(
        "/events/targets",
        {"experiment.execution.target-started",
         "experiment.execution.target-completed",
         "experiment.execution.target-failed",
         "experiment.execution.target-canceled",
         "experiment.execution.target-errored"},
        [&lines](const kit::Event& event, const kit::Context& context) {
            lines.write(event, step_text(context.step()));
        }
    );
    extension.index_member("actions", "[]");
    extension.index_member("discoveries", "[]");
    return extension.run();
}
