/// How much one input may hold. Manifests come from anybody; nothing here grows without a bound.
public enum DocumentLimits {
    /// Bytes of one file.
    public static let bytes = 16 << 20
    /// Maps and lists inside each other.
    public static let depth = 64
    /// Values of one file, keys not counted, each alias counted with everything it stands for.
    public static let nodes = 1_000_000
    /// Aliases of one file.
    public static let aliases = 1_000
}
