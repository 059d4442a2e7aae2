import Agent
import ArgumentParser
import Support

/// How rows are printed.
enum OutputForm: String, ExpressibleByArgument, CaseIterable {
    /// A table; on a terminal no wider than that.
    case table
    /// A table with all columns, as wide as it takes.
    case wide
    /// A list of objects, as docs/reference/local-api.md describes them.
    case json
    /// The same as YAML.
    case yaml
    /// One name a line, for scripts.
    case name
}

/// The options that all commands have which list something.
struct ListOptions: ParsableArguments {
    @OptionGroup var instance: InstanceOptions
    @OptionGroup var timeout: TimeoutOptions

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Only what is of this namespace.", valueName: "namespace"))
    var namespace: String?

    @OptionGroup var forms: OutputOptions

    /// The form.
    var form: OutputForm { forms.form }
}
