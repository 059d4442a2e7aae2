/// This node's name: fixed when the agent starts, never taken from the objects.
public enum NodeName {
    /// The name that the user gave, else the host's in lower case, which is what the kubelet takes.
    public static func resolve(option: String?, hostname: String) -> String {
        if let option, !option.isEmpty { return option }
        return hostname.lowercased()
    }
}
