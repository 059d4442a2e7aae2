import ArgumentParser

/// Completion scripts in which a command that runs one of its subcommands by itself offers the options of that one: the parser's scripts
/// do so only behind the subcommand's name.
enum DefaultCompletion {
    /// A command with the words of its subcommands.
    private struct Group {
        let name: String
        let inside: String
        let names: [String]
    }

    /// A script with the subcommand put in where a user left it out: before an option, or a word that is no subcommand.
    static func adding(to script: String, for shell: CompletionShell, _ root: any ParsableCommand.Type) -> String {
        let groups = root.configuration.subcommands.compactMap { command -> Group? in
            guard let name = command.configuration.commandName,
                let inside = command.configuration.defaultSubcommand?.configuration.commandName
            else { return nil }
            let names = command.configuration.subcommands.compactMap { $0.configuration.commandName }
            return Group(name: name, inside: inside, names: names + ["help"])
        }
        switch shell {
        case .bash:
            return insert(bash(groups), after: #"unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")"#, in: script)
        case .zsh: return insert(zsh(groups), after: "unsetopt aliases banghist", in: script)
        case .fish: return insert(fish(groups), after: "set -l unparsed_tokens (__netpold_tokens -pc)", in: script)
        default: return script
        }
    }

    /// A script without the line, of another version of the parser, stays as it is.
    private static func insert(_ lines: [String], after place: String, in script: String) -> String {
        guard let found = script.firstRange(of: place) else { return script }
        let text = lines.map { "\n    \($0)" }.joined()
        return String(script[..<found.upperBound]) + text + String(script[found.upperBound...])
    }

    private static func bash(_ groups: [Group]) -> [String] {
        let count = "${#unparsed_words[@]}"
        var lines = [
            "if [[ \"\(count)\" -ge 2 && ( \"${unparsed_words[1]}\" = -* || \"\(count)\" -ge 3 ) ]]; then",
            "    case \"${unparsed_words[0]} ${unparsed_words[1]}\" in",
        ]
        for group in groups {
            let known: [String] = group.names.map { "'\(group.name) \($0)'" }
            lines.append("    \(known.joined(separator: "|"))) ;;")
            let words = "\(group.name) \(group.inside)"
            lines.append("    '\(group.name) '*) unparsed_words=(\(words) \"${unparsed_words[@]:1}\") ;;")
        }
        return lines + ["    esac", "fi"]
    }

    private static func zsh(_ groups: [Group]) -> [String] {
        var lines: [String] = []
        for group in groups {
            let known = group.names.joined(separator: "|")
            lines.append("if [[ \"${words[2]}\" = \(group.name) && \"${words[3]}\" != (\(known)) ]] &&")
            lines.append("    [[ \"${words[3]}\" = -* || CURRENT -gt 3 ]]; then")
            lines.append("    words=(\"${(@)words[1,2]}\" \(group.inside) \"${(@)words[3,-1]}\")")
            lines.append("    (( CURRENT++ ))")
            lines.append("fi")
        }
        return lines
    }

    private static func fish(_ groups: [Group]) -> [String] {
        var lines: [String] = []
        for group in groups {
            let known = group.names.joined(separator: " ")
            lines.append("if test \"$unparsed_tokens[2]\" = \(group.name)")
            lines.append("    if test (count $unparsed_tokens) -ge 3")
            lines.append("        if not contains -- $unparsed_tokens[3] \(known)")
            lines.append("            set unparsed_tokens $unparsed_tokens[1..2] \(group.inside) $unparsed_tokens[3..]")
            lines.append("        end")
            lines.append("    else if string match -q -- '-*' \"$(__netpold_tokens -t)\"")
            lines.append("        set unparsed_tokens $unparsed_tokens \(group.inside)")
            lines.append("    end")
            lines.append("end")
        }
        return lines
    }
}
