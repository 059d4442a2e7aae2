import ArgumentParser

/// Which forms a kind of command has.
protocol FormChoice {
    /// What the option says of itself.
    static var help: ArgumentHelp { get }
    static var forms: [OutputForm] { get }
}

/// How something is printed: alike in all commands that print.
struct FormOptions<Choice: FormChoice>: ParsableArguments {
    @Option(name: .shortAndLong, help: Choice.help)
    var output: ChosenForm<Choice>?

    @Flag(help: "Print JSON: the same as -o json.")
    var json = false

    func validate() throws {
        if json, let form = output?.form, form != .json {
            throw ValidationError("--json and -o \(form.rawValue) contradict each other; give one")
        }
        if isForPrograms { ProgramAnswer.expect(form) }
    }

    /// The form.
    var form: OutputForm { json ? .json : output?.form ?? .table }

    /// Whether programs read it.
    var isForPrograms: Bool { form == .json || form == .yaml }

    /// A value in the form for programs.
    func render(_ value: some Encodable) throws -> String {
        try ProgramAnswer.text(value, form)
    }
}

/// A form that a kind of command has, as an argument: help lists those, and no others are taken.
struct ChosenForm<Choice: FormChoice>: ExpressibleByArgument {
    let form: OutputForm

    init?(argument: String) {
        guard let form = OutputForm(rawValue: argument), Choice.forms.contains(form) else { return nil }
        self.form = form
    }

    static var allValueStrings: [String] { Choice.forms.map(\.rawValue) }
    static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
    var defaultValueDescription: String { form.rawValue }
}

/// Those of commands that list something.
enum ListForms: FormChoice {
    static let help = ArgumentHelp("How it is printed; without it as a table.", valueName: "form")
    static let forms = OutputForm.allCases
}

/// Those of commands that have one answer.
enum ReportForms: FormChoice {
    static let help = ArgumentHelp("How it is printed; without it as a table, for people.", valueName: "form")
    static let forms = [OutputForm.table, .json, .yaml]
}

typealias OutputOptions = FormOptions<ListForms>
typealias ReportOptions = FormOptions<ReportForms>
