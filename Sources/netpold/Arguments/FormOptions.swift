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
    var output: OutputForm?

    @Flag(help: "Print JSON: the same as -o json.")
    var json = false

    func validate() throws {
        if json, let output, output != .json { throw ValidationError("--json and -o \(output.rawValue) are two forms") }
        if let output, !Choice.forms.contains(output) {
            throw ValidationError("-o \(output.rawValue) is for listings; here it is table, json or yaml")
        }
    }

    /// The form.
    var form: OutputForm { json ? .json : output ?? .table }

    /// Whether programs read it.
    var isForPrograms: Bool { form == .json || form == .yaml }

    /// A value in the form for programs.
    func render(_ value: some Encodable) throws -> String {
        form == .yaml ? try YAMLText.render(value) : try JSONText.render(value)
    }
}

/// Those of commands that list something.
enum ListForms: FormChoice {
    static let help = ArgumentHelp("How: table, wide, json, yaml or name. (default: table)", valueName: "form")
    static let forms = OutputForm.allCases
}

/// Those of commands that have one answer.
enum ReportForms: FormChoice {
    static let help = ArgumentHelp("How: table (for people), json or yaml. (default: table)", valueName: "form")
    static let forms = [OutputForm.table, .json, .yaml]
}

typealias OutputOptions = FormOptions<ListForms>
typealias ReportOptions = FormOptions<ReportForms>
