import ArgumentParser

/// How a command prints its one answer: alike in all that have one.
struct ReportOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("How: table (for people), json or yaml. (default: table)", valueName: "form"))
    var output: OutputForm?

    @Flag(help: "Print JSON: the same as -o json.")
    var json = false

    func validate() throws {
        if json, let output, output != .json { throw ValidationError("--json and -o \(output.rawValue) are two forms") }
        if let output, ![.table, .json, .yaml].contains(output) {
            throw ValidationError("-o \(output.rawValue) is for listings; here it is table, json or yaml")
        }
    }

    /// Whether programs read it.
    var isForPrograms: Bool { json || output == .json || output == .yaml }

    /// A value in the form for programs.
    func render(_ value: some Encodable) throws -> String {
        output == .yaml ? try YAMLText.render(value) : try JSONText.render(value)
    }
}
