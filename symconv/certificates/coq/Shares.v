(* The share of a tap in the gradient of a maximum, under a rule for ties, and when two such shares are the same. *)
From Symconv Require Export Follow.

(* ---- a reader must believe these definitions, as those of Definitions.v ---- *)
(* The first of the taps with the largest value; `tap` says whether it is the one whose share is asked for. *)
Fixpoint first_max {V A} (order : Order V) (l : list A) (f : A -> V) : option A :=
  match l with
  | [] => None
  | x :: rest => match first_max order rest f with
                 | None => Some x | Some y => Some (if le order (f y) (f x) then x else y) end end.
Definition first_share_of {R : CRing} {A} (order : Order R) (l : list A) (f : A -> R) (tap : A -> bool) : R :=
  match first_max order l f with None => zero | Some x => iv (tap x) one end.
(* One over the number of taps with the largest value, for each of them. *)
Definition largest_taps {V A} (order : Order V) (l : list A) (f : A -> V) : list A :=
  filter (fun x => forallb (fun y => le order (f y) (f x)) l) l.
Definition split_share_of {R : CField} {A} (order : Order R) (l : list A) (f : A -> R) (tap : A -> bool) : R :=
  iv (existsb tap (largest_taps order l f)) (recip (Z.of_nat (length (largest_taps order l f)))).
(* ---- the rest is proved ---- *)

(* Points in row-major order. *)
Class Lex (A : Type) := {
  before : A -> A -> Prop; before_trans : forall x y z, before x y -> before y z -> before x z; before_not : forall x, ~ before x x }.
#[export] Instance lex_Z : Lex Z := {| before := Z.lt; before_trans := Z.lt_trans; before_not := Z.lt_irrefl |}.
#[export] Instance lex_pair {A} `{Lex A} : Lex (A * Z).
Proof.
  refine {| before := fun x y => before (fst x) (fst y) \/ (fst x = fst y /\ snd x < snd y) |}.
  - intros [a b] [c d] [e f]; cbn. intros [X|[-> X]] [Y|[<- Y]];
    [left; eapply before_trans; eauto | left; auto | left; auto | right; split; [reflexivity | lia]].
  - intros [a b]; cbn. intros [X|[_ X]]; [apply (before_not a X) | lia].
Defined.
#[export] Instance lex_unit : Lex unit.
Proof. refine {| before := fun _ _ => False |}; auto. Defined.
Inductive ordered {A} `{Lex A} : list A -> Prop :=
  | ordered_nil : ordered []
  | ordered_cons x l : (forall y, In y l -> before x y) -> ordered l -> ordered (x :: l).
Lemma ordered_map {A B} `{Lex A} `{Lex B} (h : A -> B) l :
  (forall x y, In x l -> In y l -> before x y -> before (h x) (h y)) -> ordered l -> ordered (map h l).
Proof.
  intros M O. induction O as [|x l X O IH]; cbn; constructor.
  - intros y Y. apply in_map_iff in Y as [z [<- Z]]. apply M; cbn; auto.
  - apply IH. intros; apply M; cbn; auto.
Qed.
Lemma ordered_app {A} `{Lex A} (l l' : list A) :
  ordered l -> ordered l' -> (forall x y, In x l -> In y l' -> before x y) -> ordered (l ++ l').
Proof.
  intros O O' X. induction O as [|x l B O IH]; cbn; auto. constructor.
  - intros y Y. apply in_app_iff in Y as [Y|Y]; [auto | apply X; cbn; auto].
  - apply IH. intros; apply X; cbn; auto.
Qed.
Lemma ordered_filter {A} `{Lex A} p (l : list A) : ordered l -> ordered (filter p l).
Proof.
  intros O. induction O as [|x l X O IH]; cbn; [constructor|]. destruct (p x); auto. constructor; auto.
  intros y Y. apply filter_In in Y as [Y _]. auto.
Qed.
Lemma ordered_seq h k n : (forall i j, (i < j)%nat -> h i < h j) -> ordered (map h (seq k n)).
Proof.
  intros M. revert k. induction n as [|n IH]; intros k; cbn; constructor; auto.
  intros y Y. apply in_map_iff in Y as [i [<- I]]. apply in_seq in I. apply M. lia.
Qed.
Lemma ordered_range lo hi : ordered (range lo hi).
Proof. apply ordered_seq. intros. lia. Qed.
Lemma ordered_points {A} `{Lex A} (l : list A) (l' : A -> list Z) :
  ordered l -> (forall x, ordered (l' x)) -> ordered (points l l').
Proof.
  intros O P. induction O as [|x l X O IH]; cbn; [constructor|]. apply ordered_app; auto.
  - apply ordered_map; auto. intros; cbn; auto.
  - intros [a b] [c d] U V. apply in_map_iff in U as [w [E _]]. inversion E; subst. apply in_points in V as [V _]. cbn. auto.
Qed.
Lemma ordered_same {A} `{Lex A} (l l' : list A) : ordered l -> ordered l' -> (forall x, In x l <-> In x l') -> l = l'.
Proof.
  intros O. revert l'. induction O as [|x l X O IH]; intros l' O' S.
  - destruct l' as [|y l']; auto. destruct (proj2 (S y)); cbn; auto.
  - destruct O' as [|y l' Y O']. { destruct (proj1 (S x)); cbn; auto. }
    assert (E : x = y).
    { destruct (proj1 (S x)) as [->|I]; cbn; auto. destruct (proj2 (S y)) as [->|J]; cbn; auto.
      exfalso. apply (before_not x). eapply before_trans; eauto. }
    subst y. f_equal. apply IH; auto. intros z. specialize (S z). cbn in S. split; intros Z.
    + destruct (proj1 S) as [->|]; auto. exfalso. apply (before_not z). auto.
    + destruct (proj2 S) as [->|]; auto. exfalso. apply (before_not z). auto.
Qed.

Section Shares.
Context {A B : Type} `{Lex A} `{Lex B}.
Variables (phi : A -> B) (psi : B -> A) (p : A -> bool) (q : B -> bool) (l : list A) (l' : list B).
Lemma taps_moved : ordered l -> ordered l' ->
  (forall x y, In x l -> In y l -> before x y -> before (phi x) (phi y)) ->
  (forall x, In x l -> p x = true -> In (phi x) l' /\ q (phi x) = true) ->
  (forall y, In y l' -> q y = true -> In (psi y) l /\ p (psi y) = true /\ phi (psi y) = y) ->
  filter q l' = map phi (filter p l).
Proof.
  intros O O' M F G. apply ordered_same; [apply ordered_filter; auto | |].
  - apply ordered_map; [|apply ordered_filter; auto]. intros x y X Y. apply filter_In in X as [X _], Y as [Y _]. auto.
  - intros y. rewrite in_map_iff, filter_In. split.
    + intros [Y Q]. destruct (G y Y Q) as (X & P & E). exists (psi y). rewrite filter_In. auto.
    + intros [x [<- X]]. apply filter_In in X as [X P]. apply F; auto.
Qed.
End Shares.
Lemma first_moved {V A B} (order : Order V) (h : A -> B) (l : list A) (f : B -> V) (g : A -> V) :
  (forall x, In x l -> g x = f (h x)) -> first_max order (map h l) f = option_map h (first_max order l g).
Proof.
  induction l as [|x l IH]; cbn; intros E; auto. rewrite IH by auto. destruct (first_max order l g) as [y|] eqn:M; cbn; auto.
  assert (Y : In y l).
  { clear - M. revert y M. induction l as [|z l IH]; cbn; [discriminate|]. intros y. destruct (first_max order l g) as [w|].
    - intros [= <-]. destruct (le order (g w) (g z)); auto.
    - intros [= <-]. auto. }
  rewrite <- !E by auto. destruct (le order (g y) (g x)); auto.
Qed.
Lemma first_in {V A} (order : Order V) (l : list A) (f : A -> V) y : first_max order l f = Some y -> In y l.
Proof.
  revert y. induction l as [|z l IH]; cbn; [discriminate|]. intros y. destruct (first_max order l f) as [w|].
  - intros [= <-]. destruct (le order (f w) (f z)); auto.
  - intros [= <-]. auto.
Qed.
Lemma first_share_match {R : CRing} {A B} (order : Order R) (h : A -> B) l (f : B -> R) (g : A -> R) tap tap' :
  (forall x, In x l -> g x = f (h x) /\ tap x = tap' (h x)) ->
  first_share_of order l g tap = first_share_of order (map h l) f tap'.
Proof.
  intros E. unfold first_share_of. rewrite (first_moved order h l f g) by (intros; apply E; auto).
  destruct (first_max order l g) as [x|] eqn:M; cbn; auto. apply first_in in M. destruct (E x M) as [_ ->]. reflexivity.
Qed.
Lemma largest_moved {V A B} (order : Order V) (h : A -> B) l (f : B -> V) (g : A -> V) :
  (forall x, In x l -> g x = f (h x)) -> largest_taps order (map h l) f = map h (largest_taps order l g).
Proof.
  intros E. unfold largest_taps.
  assert (S : forall k, (forall x, In x k -> In x l) -> filter (fun x => forallb (fun y => le order (f y) (f x)) (map h l)) (map h k)
      = map h (filter (fun x => forallb (fun y => le order (g y) (g x)) l) k)).
  { induction k as [|x k IH]; cbn; intros I; auto.
    replace (forallb (fun y => le order (f y) (f (h x))) (map h l)) with (forallb (fun y => le order (g y) (g x)) l).
    - destruct (forallb _ l); cbn; rewrite IH; auto.
    - rewrite <- E by (apply I; auto). clear - E. induction l as [|y m IH]; cbn; auto. rewrite <- E by (cbn; auto).
      rewrite IH; auto. intros; apply E; cbn; auto. }
  apply S. auto.
Qed.
Lemma split_share_match {R : CField} {A B} (order : Order R) (h : A -> B) l (f : B -> R) (g : A -> R) tap tap' :
  (forall x, In x l -> g x = f (h x) /\ tap x = tap' (h x)) ->
  split_share_of order l g tap = split_share_of order (map h l) f tap'.
Proof.
  intros E. unfold split_share_of. rewrite (largest_moved order h l f g) by (intros; apply E; auto). rewrite map_length.
  f_equal. assert (I : forall x, In x (largest_taps order l g) -> In x l) by (intros x X; apply filter_In in X; tauto).
  induction (largest_taps order l g) as [|x k IH]; cbn; auto. rewrite IH by (intros; apply I; cbn; auto).
  destruct (E x) as [_ ->]; auto. apply I; cbn; auto.
Qed.
Lemma taps_kept {A} (p : A -> bool) (l : list A) : (forall x, p x = true) -> l = filter p l.
Proof. intros H. induction l as [|x l IH]; cbn; rewrite ?H; congruence. Qed.

(* ---- how a certificate follows the taps that symconv found ---- *)
Section Matches.
Context {A B : Type} `{Lex A} `{Lex B}.
Variables (phi : A -> B) (psi : B -> A).
Lemma first_share_by {R : CRing} (order : Order R) p q l l' (g : A -> R) (f : B -> R) tap tap' :
  ordered l -> ordered l' -> (forall x y, In x l -> In y l -> before x y -> before (phi x) (phi y)) ->
  (forall x, In x l -> p x = true -> In (phi x) l' /\ q (phi x) = true /\ g x = f (phi x) /\ tap x = tap' (phi x)) ->
  (forall y, In y l' -> q y = true -> In (psi y) l /\ p (psi y) = true /\ phi (psi y) = y) ->
  first_share_of order (filter p l) g tap = first_share_of order (filter q l') f tap'.
Proof.
  intros O O' M F G. rewrite (taps_moved phi psi p q l l') by (auto; intros; edestruct F as (? & ? & _); eauto).
  apply first_share_match. intros x X. apply filter_In in X as [X P]. destruct (F x X P) as (_ & _ & ? & ?). auto.
Qed.
Lemma split_share_by {R : CField} (order : Order R) p q l l' (g : A -> R) (f : B -> R) tap tap' :
  ordered l -> ordered l' -> (forall x y, In x l -> In y l -> before x y -> before (phi x) (phi y)) ->
  (forall x, In x l -> p x = true -> In (phi x) l' /\ q (phi x) = true /\ g x = f (phi x) /\ tap x = tap' (phi x)) ->
  (forall y, In y l' -> q y = true -> In (psi y) l /\ p (psi y) = true /\ phi (psi y) = y) ->
  split_share_of order (filter p l) g tap = split_share_of order (filter q l') f tap'.
Proof.
  intros O O' M F G. rewrite (taps_moved phi psi p q l l') by (auto; intros; edestruct F as (? & ? & _); eauto).
  apply split_share_match. intros x X. apply filter_In in X as [X P]. destruct (F x X P) as (_ & _ & ? & ?). auto.
Qed.
End Matches.
Lemma eqb_moved a b c d : a - b = c - d -> (a =? b) = (c =? d).
Proof. intros E. destruct (Z.eqb_spec a b), (Z.eqb_spec c d); lia. Qed.
Ltac in_order := repeat first [apply ordered_range | apply ordered_points; [|intros; pairs_in_context] | constructor | intros []].
Ltac order_kept := intros; pairs_in_context; cbn in *; lia.
Ltac same_tap := cbn beta iota; repeat apply (f_equal2 andb); first [reflexivity | apply eqb_moved; zs].
Ltac every_tap := first [reflexivity | match goal with
  | |- first_share_of _ ?l _ _ = first_share_of _ (filter ?p ?l) _ _ =>
      rewrite <- (taps_kept p l ltac:(intros; pairs_in_context; reflexivity)); reflexivity
  | |- split_share_of _ ?l _ _ = split_share_of _ (filter ?p ?l) _ _ =>
      rewrite <- (taps_kept p l ltac:(intros; pairs_in_context; reflexivity)); reflexivity end].
